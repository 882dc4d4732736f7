"""Every trap of arq 0.28, and the tests that show it and that it cannot happen here.

A test whose name says what *arq* does shows the trap in arq as it comes: when it fails after an
upgrade the trap is gone, and so may be what we do about it.

A killed worker's job waits for the longest timeout of all jobs, and 10 s
  integration/traps/test_attempts.py
    test_arq_leases_a_job_for_as_long_as_the_longest_of_all_jobs_may_take
  integration/worker/test_arq_worker.py
    test_a_killed_workers_run_moves_to_the_other_one_and_nothing_is_lost
  reliability/test_killed.py
    test_a_killed_workers_run_goes_on_elsewhere_within_3_seconds
    test_a_run_without_any_worker_goes_on_within_3_seconds_of_a_new_one
    test_a_worker_killed_between_pick_up_and_claim_delays_its_run_by_15_seconds_at_most

Every deploy burns a try, and the sixth fails the job
  integration/traps/test_attempts.py
    test_arq_counts_a_deploy_as_a_try_and_fails_the_job_at_the_sixth
  integration/core/workers/test_engine.py
    test_a_clean_stop_puts_the_run_back_and_costs_no_attempt
  integration/worker/test_arq_worker.py
    test_a_stopped_worker_puts_its_run_back_and_exits_cleanly
  reliability/test_stopped.py
    test_ten_deploys_cost_a_run_no_attempt

Plain exceptions and timeouts are never tried again
  integration/traps/test_attempts.py
    test_arq_never_tries_again_what_failed_or_took_too_long
  integration/core/workers/test_engine.py
    test_a_failing_attempt_is_tried_again_and_the_run_then_fails
    test_progress_between_failures_gives_the_run_its_tries_back
    test_an_attempt_at_its_limit_goes_on_in_a_new_one_only_with_progress
  reliability/test_failing.py
    test_a_source_that_fails_twice_succeeds_the_third_time

Whoever can write to Redis executes code, as jobs and results are pickles
  integration/traps/test_keys.py
    test_a_pickle_is_executed_by_arq_and_refused_by_our_clients
  unit/core/arq/test_wake_ups.py
    test_what_is_no_job_is_refused_as_arq_expects
  reliability/test_requests.py
    test_what_is_no_job_of_ours_is_refused_and_the_worker_goes_on

A job that waits for 24 h is lost
  integration/traps/test_keys.py
    test_arq_loses_a_job_after_a_day_and_a_wake_up_does_not_expire
  reliability/test_requests.py
    test_a_run_that_was_queued_for_26_hours_runs_as_it_was_asked_for

A kept result, and keys that still stand, block an id; an aborted id ends later jobs
  integration/traps/test_keys.py
    test_arq_takes_no_job_under_an_id_whose_result_it_keeps
    test_arq_aborts_a_job_that_is_enqueued_after_its_id_was_aborted
    test_an_unanswered_wake_up_is_replaced_when_it_is_sent_again
    test_the_next_wake_up_removes_the_keys_of_the_former_attempt
    test_what_lies_in_redis_from_before_stops_no_run
  integration/worker/test_arq_worker.py
    test_arq_takes_the_limits_the_keys_and_the_serializers_that_are_meant
    test_a_refused_job_leaves_nothing_behind_and_the_worker_goes_on

The health line is an hour old, and any worker's clean stop deletes it
  integration/traps/test_health_line_and_logs.py
    test_arqs_health_line_is_an_hour_old_and_any_workers_stop_deletes_it
    test_our_health_line_is_fresh_and_outlives_the_stop_of_one_worker
  reliability/test_frozen.py
    test_a_blocked_event_loop_shows_as_dead_and_no_other_worker_does

Redis away ends the loop, and leaves a zombie until its jobs end
  integration/traps/test_connections.py
    test_redis_away_ends_arqs_loop_while_its_job_goes_on_as_a_zombie
  integration/worker/test_redis_outages.py
    test_a_worker_outlives_a_redis_that_dies_and_comes_back
    test_a_worker_outlives_a_redis_that_refuses_to_write
    test_a_worker_that_is_stopped_while_redis_is_away_puts_its_runs_back_and_exits
  reliability/test_redis.py
    test_a_worker_outlives_30_seconds_without_redis

A connection lost inside WATCH ends the loop
  integration/traps/test_connections.py
    test_a_connection_lost_inside_watch_raises_in_arqs_loop_and_not_in_ours

A Redis that does not answer is waited for without end
  integration/traps/test_connections.py
    test_arq_waits_for_ever_for_a_redis_that_does_not_answer_and_we_do_not
  integration/worker/test_redis_outages.py
    test_a_worker_outlives_a_redis_that_does_not_answer

A hook that raises ends the worker and leaves its lease; inherited settings are not seen
  integration/traps/test_attempts.py
    test_an_error_in_arqs_on_job_start_ends_the_worker_and_leaves_the_lease
    test_arq_does_not_see_what_its_settings_inherit
  integration/worker/test_arq_worker.py
    test_arq_takes_the_limits_the_keys_and_the_serializers_that_are_meant

`pip install arq "redis>=6"` resolves to arq 0.25
  unit/project/test_lock.py
    test_no_resolver_can_go_back_to_an_old_arq_for_the_sake_of_a_newer_redis

100 members that it passes over stop every worker, and what is no job takes slots
  integration/worker/test_queue.py
    test_100_members_that_are_no_job_hide_no_wake_up_and_are_removed
    test_100_jobs_in_progress_elsewhere_hide_no_wake_up
    test_members_that_are_not_jobs_are_removed_in_bulk_and_logged_once
    test_wake_ups_of_runs_that_are_not_queued_are_removed_without_being_picked_up
    test_jobs_of_clients_that_ask_for_the_same_are_answered_at_once
    test_a_worker_goes_on_beside_members_and_counts_that_arq_stumbles_over
  reliability/test_requests.py
    test_30000_jobs_of_clients_and_200000_that_are_none_delay_a_run_by_less_than_30_seconds

A score is a moment by the sender's clock
  integration/worker/test_queue.py
    test_a_wake_up_is_picked_up_whatever_its_score
    test_the_score_of_a_wake_up_depends_on_no_clock
    test_a_job_is_answered_when_its_client_meant_it_to_be

JSON of the wrong types, a key of the wrong type, or an id that is no UTF-8 ends every worker
  unit/core/arq/test_wake_ups.py
    test_a_pickle_or_json_of_the_wrong_types_is_refused
  integration/worker/test_arq_worker.py
    test_a_refused_job_leaves_nothing_behind_and_the_worker_goes_on
  integration/worker/test_redis_outages.py
    test_a_key_in_the_queues_place_that_is_no_queue_is_put_aside

A wake-up may be picked up twice, or for an epoch that has passed
  integration/traps/test_attempts.py
    test_a_wake_up_that_is_picked_up_twice_is_one_claim
  integration/traps/test_keys.py
    test_a_second_wake_up_leaves_the_first_one_as_it_is
  reliability/test_requests.py
    test_what_is_no_job_of_ours_is_refused_and_the_worker_goes_on

PostgreSQL away when a wake-up comes, or Redis when a run is created
  integration/traps/test_connections.py
    test_a_wake_up_that_comes_while_postgresql_is_away_is_kept
  integration/api/test_outages.py
    test_a_run_is_accepted_without_redis
  integration/cli/test_commands.py
    test_a_run_is_queued_without_redis

Redis wiped or replaced
  integration/worker/test_redis_outages.py
    test_a_wiped_redis_loses_no_queued_run
  reliability/test_redis.py
    test_a_wiped_redis_loses_none_of_20_queued_runs_and_doubles_nothing
    test_a_new_empty_redis_in_the_place_of_one_that_is_gone_for_good_is_the_same

A client that enqueues a job itself knows nothing of runs
  integration/worker/test_arq_worker.py
    test_a_clients_own_job_becomes_one_run

A second SIGTERM only cancels again
  integration/worker/test_arq_worker.py
    test_a_stopped_worker_puts_its_run_back_and_exits_cleanly
  reliability/test_stopped.py
    test_work_that_will_not_stop_holds_a_worker_up_for_10_seconds_at_most

arq's command line sets up logging of its own
  integration/traps/test_health_line_and_logs.py
    test_arqs_logging_is_replaced_by_ours

A forked child keeps its dead parent's lock
  integration/annotation/sources/test_clinvar_bulk.py
    test_the_process_dies_with_its_parent
  reliability/test_killed.py
    test_the_child_that_parses_does_not_outlive_a_killed_worker

`pg_locks` spans databases, and a crash of PostgreSQL drops every lock at once
  integration/traps/test_attempts.py
    test_a_lock_in_another_database_of_the_server_is_no_sign_of_life
    test_a_worker_that_has_itself_reconnected_judges_nobody_for_a_while
  reliability/test_postgres.py
    test_eight_crashes_of_postgresql_lose_nothing

A commit whose answer was lost may have happened
  integration/pipeline/test_pipeline.py
    test_a_commit_whose_answer_was_lost_counts_once_and_is_not_asked_for_again
  integration/core/workers/test_engine.py
    test_a_session_lost_while_an_attempt_ends_is_no_loss_of_the_worker
  reliability/test_postgres.py
    test_eight_crashes_of_postgresql_lose_nothing

A search for many genes gives the count of their union only
  integration/annotation/sources/test_clinvar_api.py
    test_a_passing_shortfall_is_searched_again
    test_a_lasting_shortfall_is_no_answer
"""

from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]


def test_every_test_that_the_map_names_is_there() -> None:
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


def test_every_test_beside_the_map_stands_in_it() -> None:
    assert __doc__ is not None
    for path in Path(__file__).parent.glob("test_*.py"):
        for line in path.read_text().splitlines():
            name = line.removeprefix("async ").removeprefix("def ").partition("(")[0]
            assert not name.startswith("test_") or name in __doc__ or path == Path(__file__), name
