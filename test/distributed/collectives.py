"""Collectives beside ranks of Node, as test/distributed/mixed.test.ts has them; prints the results as JSON."""

import json

import torch
import torch.distributed as dist

dist.init_process_group("gloo")
rank, size = dist.get_rank(), dist.get_world_size()


def mine(dtype=torch.float32):
    generator = torch.Generator().manual_seed(rank)
    return torch.randn(1001, generator=generator).mul(10).to(dtype)


results = []
for op in ("SUM", "PRODUCT", "MIN", "MAX"):
    for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8):
        tensor = mine(dtype)
        dist.all_reduce(tensor, getattr(dist.ReduceOp, op))
        results.append(tensor)
for op in ("BAND", "BOR", "BXOR"):
    tensor = mine(torch.int32)
    dist.all_reduce(tensor, getattr(dist.ReduceOp, op))
    results.append(tensor)
tensor = mine(torch.complex64)
dist.all_reduce(tensor)
results.append(torch.view_as_real(tensor))
tensor = mine()
dist.broadcast(tensor, size - 1)
results.append(tensor)
tensor = mine()
dist.reduce(tensor, 1)
results.append(tensor if rank == 1 else torch.zeros(0))
gathered = [torch.empty(1001) for _ in range(size)]
dist.all_gather(gathered, mine())
results += gathered
into = torch.empty(1001 * size)
dist.all_gather_into_tensor(into, mine())
results.append(into)
gathered = [torch.empty(1001) for _ in range(size)] if rank == 0 else None
dist.gather(mine(), gathered, 0)
results += gathered or []
part = torch.empty(3)
dist.scatter(part, [torch.full((3,), float(i)) for i in range(size)] if rank == 0 else None, 0)
results.append(part)
part = torch.empty(1001)
dist.reduce_scatter(part, [mine() * (i + 1) for i in range(size)])
results.append(part)
part = torch.empty(1001)
dist.reduce_scatter_tensor(part, torch.cat([mine()] * size))
results.append(part)
part = torch.empty(size * 2)
dist.all_to_all_single(part, torch.arange(size * 2.0) + 100 * rank)
results.append(part)
parts = [torch.empty(2) for _ in range(size)]
dist.all_to_all(parts, [torch.full((2,), 10.0 * rank + i) for i in range(size)])
results += parts
following, before = (rank + 1) % size, (rank - 1) % size
message = torch.empty(1001)
work = dist.isend(mine(), following, tag=3)
source = dist.recv(message, before, tag=3)
work.wait()
results += [message, torch.tensor([source])]
pair = dist.new_group([0, 1])
if rank < 2:
    tensor = mine()
    dist.all_reduce(tensor, group=pair)
    results.append(tensor)
dist.barrier()
dist.monitored_barrier()
dist.destroy_process_group()
print(json.dumps([tensor.double().tolist() for tensor in results]))
