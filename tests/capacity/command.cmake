# For scripts that run PROGRAM, a benchmark with a command line of its own.

# run_to_json(JSON TABLE ARGUMENT...): runs it with --json=-, fails unless it ends well, and sets the two to what it wrote
# to standard output and to standard error.
macro(run_to_json json_variable table_variable)
  execute_process(
    COMMAND "${PROGRAM}" ${ARGN} --json=-
    RESULT_VARIABLE exit_status
    OUTPUT_VARIABLE ${json_variable}
    ERROR_VARIABLE ${table_variable})
  if(NOT exit_status EQUAL 0)
    message(FATAL_ERROR "it exited with ${exit_status}:\n${${table_variable}}")
  endif()
endmacro()

# expect_refusals(ARGUMENTS...): each of these command lines, lists, must be refused with a word about --help.
function(expect_refusals)
  foreach(i RANGE 1 ${ARGC})
    math(EXPR at "${i} - 1")
    set(arguments "${ARGV${at}}")
    execute_process(
      COMMAND "${PROGRAM}" ${arguments} RESULT_VARIABLE exit_status OUTPUT_QUIET ERROR_VARIABLE message)
    if(NOT exit_status EQUAL 2 OR NOT message MATCHES "--help")
      message(FATAL_ERROR "${arguments}: it exited with ${exit_status}:\n${message}")
    endif()
  endforeach()
endfunction()
