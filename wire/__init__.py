"""Sans-io codecs: bytes in, values out; no socket, no clock, no log."""
