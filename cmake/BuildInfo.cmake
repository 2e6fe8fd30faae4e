# generated/build_info.h: what this build is. It is written anew only when its text changes, and only the files that
# include it are compiled again: a commit rebuilds two files, not the tree. A tree without git's data says "unknown".
#
# This file runs twice: included while configuring, and as a script (cmake -P) when a commit moved HEAD.

function(sd_write_build_info)
  set(commit "unknown")
  if(EXISTS ${SOURCE_DIR}/.git)
    execute_process(COMMAND git -C ${SOURCE_DIR} rev-parse --short=12 HEAD OUTPUT_VARIABLE out RESULT_VARIABLE rc
                    ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(rc EQUAL 0)
      set(commit ${out})
    endif()
  endif()
  file(CONFIGURE OUTPUT ${HEADER} @ONLY CONTENT [[
// Made by cmake/BuildInfo.cmake.
#pragma once

#include <string_view>

namespace sd::build_info {

inline constexpr std::string_view kVersion = "@VERSION@";
inline constexpr std::string_view kCommit = "@commit@";
inline constexpr std::string_view kDuckdbVersion = "@DUCKDB_VERSION@";

}  // namespace sd::build_info
]])
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  sd_write_build_info()
  return()
endif()

# The one place that names DuckDB's version is third_party/package.json ("1.5.6-r.1": the -r is npm's packaging).
set(package_json ${PROJECT_SOURCE_DIR}/third_party/package.json)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${package_json})
file(READ ${package_json} text)
string(JSON duckdb_package GET "${text}" dependencies "@duckdb/node-bindings-linux-x64")
string(REGEX REPLACE "-.*" "" DUCKDB_VERSION "${duckdb_package}")

set(SOURCE_DIR ${PROJECT_SOURCE_DIR})
set(HEADER ${PROJECT_BINARY_DIR}/generated/build_info.h)
set(VERSION ${PROJECT_VERSION})
sd_write_build_info()

# Git appends to this file whenever HEAD moves (commit, checkout, pull).
set(head_log ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
if(EXISTS ${head_log})
  set(stamp ${PROJECT_BINARY_DIR}/generated/build_info.stamp)
  add_custom_command(OUTPUT ${stamp} BYPRODUCTS ${HEADER} DEPENDS ${head_log} COMMENT "" VERBATIM
    COMMAND ${CMAKE_COMMAND} -DSOURCE_DIR=${SOURCE_DIR} -DHEADER=${HEADER} -DVERSION=${VERSION}
            -DDUCKDB_VERSION=${DUCKDB_VERSION} -P ${CMAKE_CURRENT_LIST_FILE}
    COMMAND ${CMAKE_COMMAND} -E touch ${stamp})
  add_custom_target(sd_build_info DEPENDS ${stamp})
endif()
