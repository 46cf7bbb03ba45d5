"""Games: rules, batched stepping, and the words for what happens in them."""
