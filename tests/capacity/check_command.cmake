# Runs PROGRAM, nearby_capacity: it must agree with its baseline, write one JSON object that says so, and refuse what it
# does not understand. Nothing here depends on how fast anything is.
include("${CMAKE_CURRENT_LIST_DIR}/command.cmake")
run_to_json(json table --users 2000 --repetitions 2 --chunk 20000 --reference-users 1000)
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

expect_refusals("--users;999" "--users;-1" "--users" "--shards;2" "--skipping;maybe" "--nonsense;1" "stray")
