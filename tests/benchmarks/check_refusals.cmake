# Runs PROGRAM, nearby_scenarios, with command lines that it must refuse, and for its help.
include("${CMAKE_CURRENT_LIST_DIR}/../capacity/command.cmake")
expect_refusals("" "no-such-scenario" "in-sight;--users;7" "in-sight;--nonsense;1" "in-sight;stray")
execute_process(COMMAND "${PROGRAM}" --help RESULT_VARIABLE exit_status OUTPUT_VARIABLE help)
if(NOT exit_status EQUAL 0 OR NOT help MATCHES "runtime-latency")
  message(FATAL_ERROR "--help: it exited with ${exit_status}:\n${help}")
endif()
