"""XML-RPC, JSON-RPC, dispatch, sessions, tasks, events: driven by the datamodel, no sockets."""
