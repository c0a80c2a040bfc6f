/** A module with everything that a module can have. */
import * as torch from '../../../lib';

const { nn } = torch;

/** Modules, parameters, a plain tensor and buffers, one of them outside of states. */
export class Net extends nn.Module {
  hidden = new nn.Linear(4, 3);
  outProj = new nn.Linear(3, 2, { bias: false });
  scaleBy = new nn.Parameter(torch.ones([1]));
  lossWeight = torch.ones([2], { requiresGrad: true });
  mask: torch.Tensor = new nn.Buffer(torch.zeros([2]));
  cache = new nn.Buffer(torch.zeros([1]), { persistent: false });

  override forward(x: torch.Tensor): torch.Tensor {
    return this.outProj(this.hidden(x).relu()).mul(this.scaleBy).add(this.mask);
  }
}

/** The keys of its state. */
export const keys = ['scale_by', 'mask', 'hidden.weight', 'hidden.bias', 'out_proj.weight'];
