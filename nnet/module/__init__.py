"""What has parameters or a mode: modules, their state, and containers."""
