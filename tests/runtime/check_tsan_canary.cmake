# cmake -D PROGRAM=canary -P check_tsan_canary.cmake
#
# Fails unless the program's data race is reported, and the program fails for it.
execute_process(
  COMMAND "${PROGRAM}" RESULT_VARIABLE exit_status OUTPUT_VARIABLE output ERROR_VARIABLE report)
if(exit_status EQUAL 0 OR NOT report MATCHES "WARNING: ThreadSanitizer: data race.*Deliver [^\n]*tsan_canary\\.cc")
  message(FATAL_ERROR "The planted race was not caught (exit status ${exit_status}): ThreadSanitizer, or what it "
                      "is told to suppress, is blind.\n${output}${report}")
endif()
message(STATUS "caught, with exit status ${exit_status}")
