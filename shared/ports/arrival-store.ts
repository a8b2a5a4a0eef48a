/** Remembers, for a day, the newest S3 event seen per path. */
export interface ArrivalStore {
  /**
   * Notes the event and tells how it stands to the newest one noted before. `sequencer` is S3's: hexadecimal,
   * compared as S3 says (the shorter one right-padded with zeros, then as text). `same`: the event itself again
   * (a duplicate, or this very call once more after an answer that was lost).
   */
  note(path: string, sequencer: string, now: number): Promise<'newest' | 'same' | 'older'>
}
