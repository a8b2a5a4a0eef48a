/**
 * Text in HTTP headers, by RFC 2047: S3 keeps ASCII only, and gives anything else back as encoded words. We
 * send them encoded ourselves, so that what comes back is what was given, whichever layer would have touched
 * it.
 */

const isPlain = /^[\t\x20-\x7e]*$/

const encodedWord = /=\?([\w-]+)\?([bq])\?([^?]*)\?=/gi

/** White space between two encoded words belongs to neither. */
const betweenWords = /(\?=)\s+(?==\?[\w-]+\?[bq]\?)/gi

export const isHeaderText = (text: string): boolean => isPlain.test(text)

/** As one encoded word, if a header cannot carry the text as it is, or it could be taken for one. */
export const encodeHeaderText = (text: string): string =>
  isPlain.test(text) && text.search(encodedWord) < 0
    ? text
    : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`

/** Words in a charset that is not known stay as they are. */
export const decodeHeaderText = (text: string): string =>
  text
    .replace(betweenWords, '$1')
    .replace(encodedWord, (word, charset: string, encoding: string, content: string) => {
      const bytes = encoding.toUpperCase() === 'B' ? Buffer.from(content, 'base64') : unquote(content)
      try {
        return new TextDecoder(charset, { fatal: true }).decode(bytes)
      } catch {
        return word
      }
    })

/** The `Q` encoding: `_` is a space, `=E9` a byte. */
const unquote = (content: string): Buffer =>
  Buffer.from(
    content
      .replaceAll('_', ' ')
      .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
