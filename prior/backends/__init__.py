"""Language-model backends, one file each; the registry is in prior.backends.base."""
