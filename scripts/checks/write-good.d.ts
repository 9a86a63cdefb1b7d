// Types of write-good, which has none.

declare module 'write-good' {
  export interface Suggestion {
    /** Place of the words in the text, and their length. */
    readonly index: number;
    readonly offset: number;
    readonly reason: string;
  }
  export default function writeGood(text: string, checks?: Readonly<Record<string, boolean>>): Suggestion[];
}
