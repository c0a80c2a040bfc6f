/** The distributions of `torch.distributions`. */
export { Categorical, type CategoricalOptions } from './categorical';
