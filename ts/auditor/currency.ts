/** The currencies of `docs/reference/records.md`: ISO 4217, those that have minor units. */
const listed = new Set(
  `
  AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP
  BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN
  ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK
  JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD
  MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP
  PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP
  SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV
  WST XAD XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
  `
    .trim()
    .split(/\s+/),
)

/** True for the letters of a currency. */
export function isCurrency(letters: string): boolean {
  return listed.has(letters)
}

/** Of all others it is two. */
const digits: Readonly<Record<string, bigint>> = Object.fromEntries([
  ...'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'
    .split(' ')
    .map((letters) => [letters, 0n]),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map((letters) => [letters, 3n]),
  ...'CLF UYW'.split(' ').map((letters) => [letters, 4n]),
])

/** The decimals of a currency's minor unit. */
export function minorDigitsOf(letters: string): bigint {
  return digits[letters] ?? 2n
}
