# Third-party libraries. Everything is a Debian package but DuckDB, which comes through npm (third_party/package.json).
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_library(ZSTD_LIBRARY zstd REQUIRED)
find_library(BROTLI_DECODER_LIBRARY brotlidec REQUIRED)
find_library(BROTLI_ENCODER_LIBRARY brotlienc REQUIRED)
find_library(SOCI_CORE_LIBRARY soci_core REQUIRED)
find_library(SOCI_SQLITE3_LIBRARY soci_sqlite3 REQUIRED)
find_library(SECCOMP_LIBRARY seccomp REQUIRED)
find_library(SODIUM_LIBRARY sodium REQUIRED)

add_library(zstd INTERFACE)
target_link_libraries(zstd INTERFACE ${ZSTD_LIBRARY})
# Only tests encode; the linker leaves the encoder out of the binary.
add_library(brotli INTERFACE)
target_link_libraries(brotli INTERFACE ${BROTLI_DECODER_LIBRARY} ${BROTLI_ENCODER_LIBRARY})
add_library(seccomp INTERFACE)
target_link_libraries(seccomp INTERFACE ${SECCOMP_LIBRARY})
add_library(sodium INTERFACE)
target_link_libraries(sodium INTERFACE ${SODIUM_LIBRARY})
add_library(soci_core INTERFACE)
target_link_libraries(soci_core INTERFACE ${SOCI_CORE_LIBRARY})
add_library(soci_sqlite3 INTERFACE)
target_link_libraries(soci_sqlite3 INTERFACE ${SOCI_SQLITE3_LIBRARY} sqlite3)

# Asio and Beast are headers only; Boost 1.81 keeps them apart from any other Boost on the machine.
add_library(boost_asio INTERFACE)
target_link_libraries(boost_asio INTERFACE Threads::Threads)
target_compile_definitions(boost_asio INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION
                           BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_DISABLE_BOOST_DATE_TIME)

set(DUCKDB_NPM ${PROJECT_SOURCE_DIR}/third_party/node_modules)
set(DUCKDB_SO ${DUCKDB_NPM}/@duckdb/node-bindings-linux-x64/libduckdb.so)
set(DUCKDB_INCLUDE ${DUCKDB_NPM}/duckdb/src/duckdb/src/include)
if(NOT EXISTS ${DUCKDB_SO} OR NOT EXISTS ${DUCKDB_INCLUDE}/duckdb.h)
  message(FATAL_ERROR "DuckDB is not installed: run ./dev build, which runs npm in third_party first.")
endif()
# The C header stands among C++ headers that must not be seen: only duckdb.h is copied out.
configure_file(${DUCKDB_INCLUDE}/duckdb.h ${PROJECT_BINARY_DIR}/duckdb/include/duckdb.h COPYONLY)
configure_file(${DUCKDB_SO} ${PROJECT_BINARY_DIR}/libduckdb.so COPYONLY)
add_library(duckdb INTERFACE)
target_include_directories(duckdb SYSTEM INTERFACE ${PROJECT_BINARY_DIR}/duckdb/include)
target_link_libraries(duckdb INTERFACE ${PROJECT_BINARY_DIR}/libduckdb.so)

# FlatBuffers for the metadata of Arrow's stream: headers only, and the compiler that makes ours of arrow_ipc.fbs.
find_program(FLATC flatc REQUIRED)
find_path(FLATBUFFERS_INCLUDE flatbuffers/flatbuffers.h REQUIRED)
set(ARROW_IPC_FBS ${PROJECT_SOURCE_DIR}/src/query/arrow_ipc.fbs)
set(ARROW_IPC_DIR ${PROJECT_BINARY_DIR}/flatbuffers)
add_custom_command(OUTPUT ${ARROW_IPC_DIR}/arrow_ipc_generated.h DEPENDS ${ARROW_IPC_FBS} ${FLATC} VERBATIM
  COMMAND ${FLATC} --cpp --cpp-std c++17 --scoped-enums -o ${ARROW_IPC_DIR} ${ARROW_IPC_FBS})
add_custom_target(sd_arrow_ipc_header DEPENDS ${ARROW_IPC_DIR}/arrow_ipc_generated.h)
add_library(arrow_ipc INTERFACE)
target_include_directories(arrow_ipc SYSTEM INTERFACE ${ARROW_IPC_DIR} ${FLATBUFFERS_INCLUDE})
add_dependencies(arrow_ipc sd_arrow_ipc_header)
