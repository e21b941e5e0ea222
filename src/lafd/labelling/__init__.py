"""Labels that a model makes: for training a next one, or for a person to correct.

`views` looks at a picture several times and fuses what it finds into candidates; `survey` does so for many pictures and
remembers them; `labels` divides candidates into faces, doubtful boxes and nothing, and says which pictures a person
should look at first.
"""
