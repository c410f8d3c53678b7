# Runs PROGRAM, nearby_capacity, in a world so small that the caches hold it, where the engine gains least: it must be
# faster than the baseline all the same. The two are measured in turns, and the margin is wide enough for a busy
# machine: it takes several times as long for the engine to lose it.
execute_process(
  COMMAND "${PROGRAM}" --users 10000 --repetitions 9 --chunk 20000 --json=-
  RESULT_VARIABLE exit_status
  OUTPUT_VARIABLE json
  ERROR_VARIABLE table)
if(NOT exit_status EQUAL 0)
  message(FATAL_ERROR "it exited with ${exit_status}:\n${table}")
endif()
string(JSON ratio GET "${json}" ratio_to_baseline)
if(NOT ratio GREATER 1.5)
  message(FATAL_ERROR "the engine reached ${ratio} times the baseline:\n${table}")
endif()
