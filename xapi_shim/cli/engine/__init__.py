"""The commands of xe, done on the host: words in, calls of the XenAPI, text out."""
