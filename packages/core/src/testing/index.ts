export { type ExpectNoLeaksOptions, expectNoLeaks, type LeakCheck } from './expect-no-leaks.ts';
export { type ScriptedCall, type ScriptedOperation, scriptedOperation } from './scripted-operation.ts';
export { VirtualClock, type VirtualClockOptions } from './virtual-clock.ts';
