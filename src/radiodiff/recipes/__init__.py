"""Recipes: YAML files that say everything about a run."""
