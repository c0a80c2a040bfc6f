"""Prints the schemas of aten as the PyTorch that runs this declares them, in the order in which packets try them.

    python scripts/list-schemas.py > build/schemas-2.14.txt
    node scripts/generate-schemas.mjs --from build/schemas-2.14.txt

So the drift of a minor version can be listed without an addon for it.
"""

import torch

names = set(torch._C._dispatch_get_all_op_names())
version = torch.__version__.split("+")[0]
print(f"# The schemas of aten in libtorch {version}, written by scripts/list-schemas.py.")
for operator in sorted({name.split(".")[0] for name in names if name.startswith("aten::")}):
    for schema in torch._C._jit_get_schemas_for_operator(operator):
        # TorchScript has more, for numbers and lists without a tensor.
        if ".".join(filter(None, (schema.name, schema.overload_name))) in names:
            print(schema)
