# Runs PROGRAM, nearby_scenarios, with command lines that it must refuse, and for its help.
foreach(arguments "" "no-such-scenario" "in-sight;--users;7" "in-sight;--nonsense;1" "in-sight;stray")
  execute_process(
    COMMAND "${PROGRAM}" ${arguments} RESULT_VARIABLE exit_status OUTPUT_QUIET ERROR_VARIABLE message)
  if(NOT exit_status EQUAL 2 OR NOT message MATCHES "--help")
    message(FATAL_ERROR "${arguments}: it exited with ${exit_status}:\n${message}")
  endif()
endforeach()
execute_process(COMMAND "${PROGRAM}" --help RESULT_VARIABLE exit_status OUTPUT_VARIABLE help)
if(NOT exit_status EQUAL 0 OR NOT help MATCHES "runtime-latency")
  message(FATAL_ERROR "--help: it exited with ${exit_status}:\n${help}")
endif()
