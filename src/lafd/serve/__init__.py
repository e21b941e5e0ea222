"""Detection over HTTP: a request comes in, its pictures wait, a thread decodes and detects, the answer goes out.

`settings` are the limits, `intake` reads bodies, `batching` shares the threads, `faces` finds the faces, `app` has
the routes and `server` the processes.
"""
