# Runs PROGRAM, nearby_capacity, in a world so small that the caches hold it, where the engine gains least: it must be
# faster than the baseline all the same. The two are measured in turns, and the margin is wide enough for a busy
# machine: it takes several times as long for the engine to lose it.
include("${CMAKE_CURRENT_LIST_DIR}/command.cmake")
run_to_json(json table --users 10000 --repetitions 9 --chunk 20000)
string(JSON ratio GET "${json}" ratio_to_baseline)
if(NOT ratio GREATER 1.5)
  message(FATAL_ERROR "the engine reached ${ratio} times the baseline:\n${table}")
endif()
