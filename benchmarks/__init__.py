"""Programs that measure and prove; each is run by hand or by a make target."""
