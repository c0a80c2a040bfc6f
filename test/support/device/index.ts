/**
 * Two simulated devices, `cuda:0` and `cuda:1`, which libtorch takes for CUDA's. Their memory is the host's and
 * their kernels are the CPU's; copies arrive when somebody waits for them, memory that nobody has written holds a
 * pattern, and it ends where a test says. A file that imports this has them from then on, for the rest of the process:
 * such tests run in a jest run of their own.
 */
import { join } from 'node:path';
import { libtorchVersion } from '../../../lib';

/** What a device has given out. Bytes, and how often. */
export interface MemoryFigures {
  /** What tensors hold. */
  allocated: number;
  peakAllocated: number;
  /** The same with what is kept for the next tensors. */
  reserved: number;
  peakReserved: number;
  /** How often the cache was emptied because there was no room. */
  retries: number;
  /** How often that did not help. */
  refusals: number;
}

/** What can be told to the devices, and asked of them, by their index. */
interface FakeDevice {
  /** How much memory the device has. */
  setLimit(device: number, bytes: number): void;
  stats(device: number): MemoryFigures;
  resetPeak(device: number): void;
  /** Gives back the memory of all devices that no tensor holds, after all that is queued. */
  emptyCache(): void;
  /** How many kernels have run on the device so far; copies are none. */
  kernels(device: number): number;
  /** How many copies are queued and have not been done. */
  pendingCopies(device: number): number;
  /** Whether a class index out of range is an assertion on the device, as on CUDA, instead of an error. Default `false`. */
  assertOnBadValues(on: boolean): void;
  /** Makes a device usable again that an assertion has ended. */
  resetLost(device: number): void;
  /**
   * How often memory was freed that other streams had used, or page-locked memory that was copied, after the device was
   * lost. On CUDA each of them ends the process.
   */
  fatalFrees(device: number): number;
}

// The addon takes libtorch's functions from what is loaded.
libtorchVersion();

/** The addon's file, which a process of its own can open after libtorch. */
export const addon = join(__dirname, '..', '..', '..', 'build', 'native', 'Test', 'fake-device.node');

/** The devices' own side. */
export const fake: FakeDevice = require(addon) as FakeDevice;

/** Their names. */
export const devices = ['cuda:0', 'cuda:1'] as const;

/** How much memory a device has where no test says otherwise. */
export const ampleMemory = 4 * 2 ** 30;
