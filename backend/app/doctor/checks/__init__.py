"""The checks that belong to no component: the settings, the host and the upstream services."""
