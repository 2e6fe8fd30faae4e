# Two kinds of build: Release (what users run) and Dev (what tests run: sanitizers on, light optimisation).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "GCC 12 or newer is needed, this is ${CMAKE_CXX_COMPILER_VERSION}: set CXX to another compiler.")
endif()

option(SD_CCACHE "Use ccache when it is installed" ON)
find_program(CCACHE ccache)
if(CCACHE AND SD_CCACHE)
  # The two sloppinesses are what ccache asks for with precompiled headers. Other settings stay the user's own.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wpedantic
                    -fno-omit-frame-pointer -fstack-protector-strong -Wno-missing-field-initializers
                    # __FILE__ without the folder of whoever built it: it may reach a log.
                    -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives of these on std::string and coroutine frames.
  add_compile_options(-Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow
                      -Wno-mismatched-new-delete -Wno-array-bounds -Wno-free-nonheap-object)
  # Without it ccache cannot see through a precompiled header.
  add_compile_options(-fpch-preprocess)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # CRC32C in hardware; every x86-64 processor since 2009 has it. Checked at start.
  add_compile_options(-msse4.2)
endif()
if(SD_WERROR)
  add_compile_options(-Werror)
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -D_FORTIFY_SOURCE=2")
set(CMAKE_CXX_FLAGS_DEV "-O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-sanitize=vptr,null")
if(SD_FUZZ)
  # Coverage for libFuzzer in every room; its main() is linked into the fuzzers only.
  string(APPEND CMAKE_CXX_FLAGS_DEV " -fsanitize=fuzzer-no-link")
endif()
set(CMAKE_EXE_LINKER_FLAGS_DEV "-fsanitize=address,undefined")
add_link_options(-Wl,--as-needed)
