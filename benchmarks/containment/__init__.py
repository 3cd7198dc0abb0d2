"""Whether anything gets out: harmful programs and harmless snippets, each through the loop in auto mode."""
