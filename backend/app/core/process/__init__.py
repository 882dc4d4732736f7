"""What belongs to any process: logs, secrets, signals, exit statuses, systemd."""
