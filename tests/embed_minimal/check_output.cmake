# Runs PROGRAM and fails unless it exits with 0 and prints what the file EXPECTED holds.
execute_process(COMMAND "${PROGRAM}" RESULT_VARIABLE exit_status OUTPUT_VARIABLE output)
file(READ "${EXPECTED}" expected)
if(NOT exit_status EQUAL 0)
  message(FATAL_ERROR "it exited with ${exit_status}")
endif()
if(NOT output STREQUAL expected)
  message(FATAL_ERROR "it printed:\n${output}\ninstead of:\n${expected}")
endif()
