import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHeaderText, encodeHeaderText, isHeaderText } from '#aws/header-text.ts'

describe('text in headers', () => {
  it('any text comes back as it was, and travels as ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const sent = encodeHeaderText(text)
        expect(isHeaderText(sent)).toBe(true)
        expect(decodeHeaderText(sent)).toBe(text)
      }),
    )
  })

  it('plain text is sent as it is', () => {
    expect(encodeHeaderText('a=b; c="d" ?=')).toBe('a=b; c="d" ?=')
  })

  it('plain text that could be taken for an encoded word is sent as one', () => {
    const text = 'see =?UTF-8?B?eA==?='
    expect(encodeHeaderText(text)).not.toBe(text)
    expect(decodeHeaderText(encodeHeaderText(text))).toBe(text)
  })

  it.each([
    ['=?UTF-8?Q?caf=C3=A9_na=C3=AFve?=', 'café naïve'],
    ['=?iso-8859-1?q?caf=E9?=', 'café'],
    ['=?UTF-8?B?Y2Fm?= =?UTF-8?B?w6k=?=', 'café'],
    ['plain =?UTF-8?B?w6k=?= plain', 'plain é plain'],
    ['=?x-unknown?B?w6k=?=', '=?x-unknown?B?w6k=?='],
    ['=?UTF-8?B?/w==?=', '=?UTF-8?B?/w==?='],
  ])('what others wrote is understood: %s', (sent, text) => {
    expect(decodeHeaderText(sent)).toBe(text)
  })
})
