"""The known weaknesses of arq 0.28, and the tests that show them and how we avoid them.

A test whose name says what *arq* does shows the weakness in arq itself. If it fails after an
upgrade of arq, the weakness is gone, and our code against it may be removed.

The job of a killed worker waits for the longest timeout of all jobs plus 10 s
  integration/traps/test_attempts.py
    test_arq_leases_a_job_for_the_longest_timeout_of_all_jobs
  reliability/test_killed.py
    test_the_run_of_a_killed_worker_continues_elsewhere_within_3_seconds
    test_a_run_without_a_worker_continues_within_3_seconds_of_a_new_one
    test_a_worker_killed_between_pick_up_and_claim_delays_its_run_by_15_seconds_at_most

Every clean stop costs a try, and the sixth fails the job
  integration/traps/test_attempts.py
    test_arq_counts_a_clean_stop_as_a_try_and_fails_the_job_at_the_sixth
  integration/core/workers/test_engine.py
    test_a_clean_stop_queues_the_run_again_and_costs_no_attempt
  integration/worker/test_arq_worker.py
    test_a_stopped_worker_interrupts_its_run_and_the_next_one_misses_no_gene
  reliability/test_stopped.py
    test_ten_deploys_cost_a_run_no_attempt

Exceptions and timeouts are not retried
  integration/traps/test_attempts.py
    test_arq_does_not_retry_a_job_that_failed_or_timed_out
  integration/core/workers/test_engine.py
    test_a_failing_attempt_is_retried_until_the_run_fails
    test_progress_resets_the_count_of_failures
    test_an_attempt_that_times_out_is_continued_only_after_progress
  reliability/test_failing.py
    test_a_source_that_fails_twice_succeeds_the_third_time

Whoever can write to Redis can execute code, because jobs and results are pickles
  integration/traps/test_keys.py
    test_a_pickle_is_executed_by_arq_and_refused_by_our_clients
  unit/core/arq/test_wake_ups.py
    test_bytes_that_are_not_a_job_are_refused_as_arq_expects
  reliability/test_requests.py
    test_an_unknown_job_is_refused_and_the_worker_continues

A job expires after 24 h in the queue
  integration/traps/test_keys.py
    test_a_job_of_arq_expires_after_a_day_and_a_wake_up_does_not
  reliability/test_requests.py
    test_a_run_that_was_queued_for_26_hours_runs_as_requested

A kept result, or a remaining key, blocks an id; an aborted id ends later jobs
  integration/traps/test_keys.py
    test_arq_accepts_no_job_under_an_id_whose_result_it_keeps
    test_arq_aborts_a_job_that_is_enqueued_after_its_id_was_aborted
    test_an_unanswered_wake_up_is_replaced_when_it_is_sent_again
    test_the_next_wake_up_removes_the_keys_of_the_former_attempt
    test_old_keys_in_redis_stop_no_run
  integration/worker/test_arq_worker.py
    test_arq_uses_our_timeouts_keys_and_serializers
    test_a_refused_job_leaves_no_keys_and_the_worker_goes_on

The health line may be an hour old, and the clean stop of any worker deletes it
  integration/traps/test_health_line_and_logs.py
    test_arqs_health_line_may_be_an_hour_old_and_any_stop_deletes_it
    test_our_health_line_is_recent_and_survives_the_stop_of_one_worker
  reliability/test_frozen.py
    test_a_blocked_event_loop_shows_as_dead_and_no_other_worker_does

An unavailable Redis ends the main loop, and the process remains until its jobs end
  integration/traps/test_connections.py
    test_an_unavailable_redis_ends_arqs_loop_while_its_job_goes_on
  integration/worker/test_redis_outages.py
    test_a_worker_survives_a_crash_of_redis
    test_a_worker_survives_a_redis_that_refuses_writes
    test_a_worker_that_is_stopped_while_redis_is_unavailable_interrupts_its_runs
  reliability/test_redis.py
    test_a_worker_outlives_30_seconds_without_redis

A connection lost inside WATCH ends the main loop
  integration/traps/test_connections.py
    test_a_connection_lost_inside_watch_ends_arqs_loop_and_not_ours

arq waits without a timeout for a Redis that does not answer
  integration/traps/test_connections.py
    test_arq_has_no_timeout_for_redis_and_our_clients_have
  integration/worker/test_redis_outages.py
    test_a_worker_survives_a_redis_that_does_not_answer

A hook that raises ends the worker and leaves its lease; inherited settings are ignored
  integration/traps/test_attempts.py
    test_an_error_in_arqs_on_job_start_ends_the_worker_and_leaves_the_lease
    test_arq_ignores_inherited_settings
  integration/worker/test_arq_worker.py
    test_arq_uses_our_timeouts_keys_and_serializers

`pip install arq "redis>=6"` resolves to arq 0.25
  unit/project/test_lock.py
    test_no_resolver_can_go_back_to_an_old_arq_for_the_sake_of_a_newer_redis

100 members that arq skips stop every worker, and members that are not jobs take slots
  integration/worker/test_queue.py
    test_100_members_that_are_not_jobs_are_removed_and_hide_no_wake_up
    test_100_jobs_in_progress_elsewhere_hide_no_wake_up
    test_members_that_are_not_jobs_are_removed_in_bulk_and_logged_once
    test_wake_ups_of_runs_that_are_not_queued_are_removed_without_being_picked_up
    test_jobs_of_clients_that_ask_for_the_same_are_handled_together
    test_a_worker_survives_scores_and_counts_at_which_arq_fails
  reliability/test_requests.py
    test_30000_jobs_of_clients_and_200000_that_are_none_delay_a_run_by_less_than_30_seconds

A score is a time by the sender's clock
  integration/worker/test_queue.py
    test_a_wake_up_is_picked_up_whatever_its_score
    test_the_score_of_a_wake_up_does_not_depend_on_a_clock
    test_a_deferred_job_waits_and_any_other_job_is_handled_at_once

JSON with wrong types, a key of another type, or an id that is not UTF-8 ends every worker
  unit/core/arq/test_wake_ups.py
    test_a_pickle_or_json_of_the_wrong_types_is_refused
  integration/worker/test_arq_worker.py
    test_a_refused_job_leaves_no_keys_and_the_worker_goes_on
  integration/worker/test_redis_outages.py
    test_a_key_of_another_type_in_the_place_of_the_queue_is_renamed

A wake-up may be picked up twice, or for an epoch that has passed
  integration/traps/test_attempts.py
    test_of_two_workers_with_the_same_wake_up_one_claims_the_run
  integration/traps/test_keys.py
    test_a_second_wake_up_leaves_the_first_one_as_it_is
  reliability/test_requests.py
    test_an_unknown_job_is_refused_and_the_worker_continues

PostgreSQL is unavailable when a wake-up arrives, or Redis when a run is created
  integration/traps/test_connections.py
    test_a_wake_up_that_arrives_while_postgresql_is_unavailable_is_kept
  integration/api/test_outages.py
    test_a_run_is_accepted_without_redis
  integration/cli/test_commands.py
    test_a_run_is_queued_without_redis

Redis loses its content
  integration/worker/test_redis_outages.py
    test_a_wiped_redis_loses_no_queued_run
  reliability/test_redis.py
    test_a_wiped_redis_loses_none_of_20_queued_runs_and_doubles_nothing
    test_a_new_empty_redis_replaces_a_lost_one

A client that enqueues a job itself creates no run
  integration/worker/test_arq_worker.py
    test_a_job_that_a_client_enqueues_becomes_one_run

A second SIGTERM only cancels the jobs again
  integration/worker/test_arq_worker.py
    test_a_stopped_worker_interrupts_its_run_and_the_next_one_misses_no_gene
  reliability/test_stopped.py
    test_work_that_will_not_stop_holds_a_worker_up_for_10_seconds_at_most

arq's command line configures logging
  integration/traps/test_health_line_and_logs.py
    test_our_logging_replaces_arqs

A forked child keeps the lock of its dead parent
  integration/annotation/sources/test_clinvar_bulk.py
    test_the_reading_process_dies_with_its_parent
  reliability/test_killed.py
    test_the_child_that_parses_does_not_outlive_a_killed_worker

`pg_locks` spans databases, and a crash of PostgreSQL drops every lock at once
  integration/traps/test_attempts.py
    test_a_lock_in_another_database_does_not_count_as_alive
    test_a_worker_that_has_just_reconnected_takes_no_runs_from_others
  reliability/test_postgres.py
    test_eight_crashes_of_postgresql_lose_nothing

A commit may have succeeded although its answer was lost
  integration/pipeline/test_pipeline.py
    test_a_commit_whose_acknowledgement_was_lost_counts_once_and_is_not_repeated
  integration/core/workers/test_engine.py
    test_a_session_lost_while_an_attempt_ends_does_not_count_as_a_lost_worker
  reliability/test_postgres.py
    test_eight_crashes_of_postgresql_lose_nothing

A search for many genes returns only the count of their union
  integration/annotation/sources/test_clinvar_api.py
    test_a_search_with_a_temporary_shortfall_is_repeated
    test_a_lasting_shortfall_is_a_bad_answer
"""

from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]


def test_every_test_that_the_map_names_exists() -> None:
    assert __doc__ is not None
    named: dict[str, set[str]] = {}
    for line in map(str.strip, __doc__.splitlines()):
        if line.endswith(".py"):
            mine = named.setdefault(line, set())
        elif line.startswith("test_"):
            mine.add(line)
    there = {path: (TESTS / path).read_text() for path in named}
    missing = [
        f"{path}: {name}"
        for path, names in named.items()
        for name in names
        if f"def {name}(" not in there[path]
    ]
    assert missing == []


def test_the_map_names_every_test_of_this_folder() -> None:
    assert __doc__ is not None
    for path in Path(__file__).parent.glob("test_*.py"):
        for line in path.read_text().splitlines():
            name = line.removeprefix("async ").removeprefix("def ").partition("(")[0]
            assert not name.startswith("test_") or name in __doc__ or path == Path(__file__), name
