"""The parts of `roundsman devices`: what ships, what a definition reads, trying one on a recording, drafting one."""
