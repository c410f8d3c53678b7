# How nearby compiles its own code: language, warnings, sanitizers. Nothing here reaches a consumer, and no flag is
# global: every target of this project opts in with nearby_target_settings().

set(nearby_is_gnu_like FALSE)
if(CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang|AppleClang)$")
  set(nearby_is_gnu_like TRUE)
endif()

add_library(nearby_build_settings INTERFACE)
target_include_directories(nearby_build_settings INTERFACE "${PROJECT_SOURCE_DIR}")
# Boost.Geometry 1.74 includes headers of other Boost libraries that warn of their own deprecation.
target_compile_definitions(nearby_build_settings INTERFACE BOOST_ALLOW_DEPRECATED_HEADERS)

if(PROJECT_IS_TOP_LEVEL AND nearby_is_gnu_like)
  target_compile_options(
    nearby_build_settings
    INTERFACE -Wall
              -Wextra
              -Wpedantic
              -Wcast-align
              -Wconversion
              -Wextra-semi
              -Wnon-virtual-dtor
              -Woverloaded-virtual
              -Wshadow
              -Wundef
              # clang counts it as part of -Wconversion, g++ does not: let both ask the same.
              -Wno-sign-conversion
              # False positives on std::string's operator+ when optimising (GCC bug 105651, fixed in 13).
              $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
              # Branch-free code writes & between conditions and means it; clang from 14 on asks whether && was meant.
              $<$<AND:$<CXX_COMPILER_ID:Clang>,$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,14>>:-Wno-bitwise-instead-of-logical>)
endif()

if(NEARBY_SANITIZE)
  if(NOT nearby_is_gnu_like)
    message(FATAL_ERROR "NEARBY_SANITIZE needs g++ or clang")
  endif()
  list(TRANSFORM NEARBY_SANITIZE PREPEND "-fsanitize=" OUTPUT_VARIABLE nearby_sanitizers)
  # UBSan watches the library and the programs, not the tests around them: it makes a file full of GoogleTest's
  # assertions take more than twice as long to compile. Nor are they optimised, which would cost half as much again.
  set(nearby_test_sanitizers ${nearby_sanitizers})
  list(REMOVE_ITEM nearby_test_sanitizers -fsanitize=undefined)
  set(nearby_is_test "$<BOOL:$<TARGET_PROPERTY:NEARBY_IS_TEST>>")
  target_compile_options(
    nearby_build_settings
    INTERFACE "$<${nearby_is_test}:${nearby_test_sanitizers};-O0>"
              "$<$<NOT:${nearby_is_test}>:${nearby_sanitizers}>"
              -fno-sanitize-recover=all -fno-omit-frame-pointer
              # The instrumentation itself provokes these on g++ 12.
              $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_compile_definitions(nearby_build_settings INTERFACE _GLIBCXX_ASSERTIONS)
  target_link_options(nearby_build_settings INTERFACE ${nearby_sanitizers})
endif()

if(NEARBY_BUILD_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "NEARBY_BUILD_FUZZERS needs clang (libFuzzer)")
  endif()
  target_compile_options(nearby_build_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(NEARBY_COVERAGE AND NOT nearby_is_gnu_like)
  message(FATAL_ERROR "NEARBY_COVERAGE needs g++ or clang")
endif()

# Applies the project's language level, warnings and sanitizers to a target of its own.
function(nearby_target_settings target)
  target_compile_features(${target} PUBLIC cxx_std_17)
  set_target_properties(
    ${target} PROPERTIES CXX_EXTENSIONS OFF COMPILE_WARNING_AS_ERROR ${NEARBY_WARNINGS_AS_ERRORS})
  # BUILD_INTERFACE keeps a static library from naming the settings in its exported link line.
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:nearby_build_settings>)
endfunction()

# For source files that are mostly others' templates, in the directory of the caller's target: UBSan would watch those,
# and double what they take to compile.
function(nearby_without_ubsan)
  if(NEARBY_SANITIZE)
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS -fno-sanitize=undefined)
  endif()
endfunction()

# Sets `result` to whether all the targets exist; where one does not, says what is left out and why.
function(nearby_check_requirements what result)
  set(missing "")
  foreach(requirement IN LISTS ARGN)
    if(NOT TARGET ${requirement})
      list(APPEND missing ${requirement})
    endif()
  endforeach()
  set(${result} TRUE PARENT_SCOPE)
  if(missing)
    list(JOIN missing ", " missing)
    message(STATUS "nearby: skipping ${what}: ${missing} not found")
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()
