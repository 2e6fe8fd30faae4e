# Two kinds of build: Release (what users run) and Dev (what tests run: sanitizers on, light optimisation).
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wpedantic
                    -fno-omit-frame-pointer -fstack-protector-strong -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives of these three on std::string and coroutine frames.
  add_compile_options(-Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow
                      -Wno-mismatched-new-delete -Wno-array-bounds -Wno-free-nonheap-object)
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
set(CMAKE_C_FLAGS_DEV "${CMAKE_CXX_FLAGS_DEV}")
set(CMAKE_EXE_LINKER_FLAGS_DEV "-fsanitize=address,undefined")
add_link_options(-Wl,--as-needed)
