"""Correcting boxes by hand, in the browser.

`sources` says where all comes from; `project` reads pictures, boxes and doubts; `journal` is the file that every change
goes to; `session` is what was decided so far; `export` writes it as annotations; `pictures` prepares pictures for the
browser; `app` has the routes, and `page` the page itself.
"""
