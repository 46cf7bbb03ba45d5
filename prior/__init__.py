"""Instruction + observation -> log-probabilities over legal actions."""
