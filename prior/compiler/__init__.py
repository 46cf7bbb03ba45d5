"""The instruction compiler: from an instruction in free words to a program (schemas.program)."""
