// Types of check-node.mjs, which can't be TypeScript. Thread: main.

export const OLDEST_NODE: readonly [major: number, minor: number];
export function tooOldMessage(version: string): string | undefined;
