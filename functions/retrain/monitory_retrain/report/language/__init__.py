"""The report's two languages: `words` has each text in English and Korean; `sentences` and `labels` do the same for
what other rooms and drawings say.
"""
