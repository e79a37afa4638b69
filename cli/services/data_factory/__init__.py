"""Documents of Azure Data Factory, as far as a pipeline retrains a model of Studio.

documents    files → linked services, datasets, pipelines, triggers; what is wrong in a file, with its line
values       expressions, partitions and secrets in them
pipeline     one pipeline → what is trained, from which blob, and which endpoint gets the model
carrying     that and the web services that there are → what the program's writer takes, and the stack's file
"""
