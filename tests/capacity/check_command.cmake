# Runs PROGRAM, nearby_capacity: it must agree with its baseline, write one JSON object that says so, and refuse what it
# does not understand. Nothing here depends on how fast anything is.
execute_process(
  COMMAND "${PROGRAM}" --users 2000 --repetitions 2 --chunk 20000 --reference-users 1000 --json=-
  RESULT_VARIABLE exit_status
  OUTPUT_VARIABLE json
  ERROR_VARIABLE table)
if(NOT exit_status EQUAL 0)
  message(FATAL_ERROR "it exited with ${exit_status}:\n${table}")
endif()
foreach(key users friends shards skipping reports_per_s checks_per_s ceiling_reads_per_s baseline_reports_per_s
            ratio_to_baseline ratio_to_ceiling report_cost_to_reference deliveries deliveries_checksum bytes_per_user_rss checks_skipped_share
            bound_breaks_per_s core_share_at_334k connects_per_s)
  # Fails where the text is not JSON, or the member is missing.
  string(JSON ${key} GET "${json}" ${key})
endforeach()
string(JSON void GET "${json}" void)
if(void OR NOT users EQUAL 2000 OR deliveries EQUAL 0)
  message(FATAL_ERROR "it wrote:\n${json}")
endif()
if(NOT table MATCHES "the baseline's deliveries +the same")
  message(FATAL_ERROR "it printed:\n${table}")
endif()

foreach(arguments "--users;999" "--users;-1" "--users" "--shards;2" "--skipping;maybe" "--nonsense;1" "stray")
  execute_process(
    COMMAND "${PROGRAM}" ${arguments} RESULT_VARIABLE exit_status OUTPUT_QUIET ERROR_VARIABLE message)
  if(NOT exit_status EQUAL 2 OR NOT message MATCHES "--help")
    message(FATAL_ERROR "${arguments}: it exited with ${exit_status}:\n${message}")
  endif()
endforeach()
