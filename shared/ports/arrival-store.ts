/** Remembers, for a day, the newest S3 event seen per path. */
export interface ArrivalStore {
  /**
   * Notes the event and tells how it stands to the newest one noted before. `sequencer` is S3's: hexadecimal,
   * compared as S3 says (left-padded to equal length). `same`: the event itself again (a duplicate).
   */
  note(path: string, sequencer: string, now: number): Promise<'newest' | 'same' | 'older'>
}
