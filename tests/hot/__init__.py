"""Templates for Heat, made of flavours."""
