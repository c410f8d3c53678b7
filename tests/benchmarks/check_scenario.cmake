# Runs PROGRAM, nearby_scenarios, for one SCENARIO with ARGUMENTS: it must end well and write one JSON object that says
# so and has the COUNTS, a list of key=value. Nothing here depends on how fast anything is.
include("${CMAKE_CURRENT_LIST_DIR}/../capacity/command.cmake")
separate_arguments(arguments UNIX_COMMAND "${ARGUMENTS}")
run_to_json(json table "${SCENARIO}" ${arguments})
# Fails where the text is not JSON, or the member is missing.
string(JSON scenario GET "${json}" scenario)
string(JSON void GET "${json}" void)
if(void OR NOT scenario STREQUAL SCENARIO)
  message(FATAL_ERROR "it wrote:\n${json}")
endif()
separate_arguments(counts UNIX_COMMAND "${COUNTS}")
foreach(count IN LISTS counts)
  string(REGEX MATCH "^(.+)=(.+)$" matched "${count}")
  string(JSON found GET "${json}" "${CMAKE_MATCH_1}")
  if(NOT found EQUAL CMAKE_MATCH_2)
    message(FATAL_ERROR "${CMAKE_MATCH_1}: ${CMAKE_MATCH_2} expected:\n${json}")
  endif()
endforeach()
