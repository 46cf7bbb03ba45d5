"""Evidence: tracking in MLflow, comparison of runs, figures, recipes."""
