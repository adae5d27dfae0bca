/** Where people live and where datacenters stand, for generated worlds: facts of geography to two decimals, with a rough
 *  weight of how much traffic a metropolis brings. Order and codes are stable: seeds depend on them. */

export interface City {
  readonly code: string;
  readonly name: string;
  readonly lat: number;
  readonly lon: number;
  readonly weight: number;
}

export interface Site {
  readonly name: string;
  readonly lat: number;
  readonly lon: number;
}

const cityLines = `
tyo Tokyo 35.68 139.69 37|del Delhi 28.61 77.21 33|sha Shanghai 31.23 121.47 20|gru São_Paulo -23.55 -46.63 30
mex Mexico_City 19.43 -99.13 29|cai Cairo 30.04 31.24 21|bom Mumbai 19.08 72.88 27|osa Osaka 34.69 135.50 19
dac Dhaka 23.81 90.41 18|khi Karachi 24.86 67.01 15|eze Buenos_Aires -34.60 -58.38 18|ist Istanbul 41.01 28.98 22
los Lagos 6.52 3.38 15|fih Kinshasa -4.44 15.27 8|mnl Manila 14.60 120.98 24|gig Rio_de_Janeiro -22.91 -43.17 17
lhr London 51.51 -0.13 26|cdg Paris 48.86 2.35 22|nyc New_York 40.71 -74.01 34|lax Los_Angeles 34.05 -118.24 27
blr Bengaluru 12.97 77.59 18|maa Chennai 13.08 80.27 14|ccu Kolkata 22.57 88.36 14|hyd Hyderabad 17.39 78.49 13
bkk Bangkok 13.76 100.50 20|icn Seoul 37.57 126.98 21|lim Lima -12.05 -77.04 13|bog Bogotá 4.71 -74.07 14
cgk Jakarta -6.21 106.85 28|sgn Ho_Chi_Minh_City 10.82 106.63 17|han Hanoi 21.03 105.85 13|hkg Hong_Kong 22.32 114.17 12
tpe Taipei 25.03 121.57 12|kul Kuala_Lumpur 3.14 101.69 13|sin Singapore 1.35 103.82 12|dxb Dubai 25.20 55.27 9
ruh Riyadh 24.71 46.68 11|tlv Tel_Aviv 32.09 34.78 7|jnb Johannesburg -26.20 28.05 10|nbo Nairobi -1.29 36.82 7
acc Accra 5.60 -0.19 6|cmn Casablanca 33.57 -7.59 6|alg Algiers 36.75 3.06 6|cpt Cape_Town -33.92 18.42 5
mad Madrid 40.42 -3.70 14|bcn Barcelona 41.39 2.17 9|lis Lisbon 38.72 -9.14 7|mil Milan 45.46 9.19 12
rom Rome 41.90 12.50 9|vie Vienna 48.21 16.37 7|fra Frankfurt 50.11 8.68 13|ber Berlin 52.52 13.41 9
muc Munich 48.14 11.58 8|ams Amsterdam 52.37 4.90 10|bru Brussels 50.85 4.35 6|dub Dublin 53.35 -6.26 5
man Manchester 53.48 -2.24 7|cph Copenhagen 55.68 12.57 5|arn Stockholm 59.33 18.07 6|osl Oslo 59.91 10.75 4
hel Helsinki 60.17 24.94 4|waw Warsaw 52.23 21.01 9|prg Prague 50.08 14.44 5|bud Budapest 47.50 19.04 5
otp Bucharest 44.43 26.10 6|sof Sofia 42.70 23.32 4|ath Athens 37.98 23.73 5|iev Kyiv 50.45 30.52 8
iad Washington 38.91 -77.04 17|chi Chicago 41.88 -87.63 18|dfw Dallas 32.78 -96.80 16|iah Houston 29.76 -95.37 13
atl Atlanta 33.75 -84.39 14|mia Miami 25.76 -80.19 14|bos Boston 42.36 -71.06 9|phl Philadelphia 39.95 -75.17 9
sfo San_Francisco 37.77 -122.42 13|sea Seattle 47.61 -122.33 9|den Denver 39.74 -104.99 7|phx Phoenix 33.45 -112.07 8
msp Minneapolis 44.98 -93.27 6|yyz Toronto 43.65 -79.38 12|yul Montréal 45.50 -73.57 7|yvr Vancouver 49.28 -123.12 5
gdl Guadalajara 20.67 -103.35 8|mty Monterrey 25.69 -100.32 7|gua Guatemala_City 14.63 -90.51 5|pty Panama_City 8.98 -79.52 3
uio Quito -0.18 -78.47 5|scl Santiago -33.45 -70.67 9|ccs Caracas 10.48 -66.90 5|bsb Brasília -15.79 -47.88 6
for Fortaleza -3.73 -38.53 6|poa Porto_Alegre -30.03 -51.22 5|cor Córdoba -31.42 -64.18 4|mvd Montevideo -34.90 -56.16 3
syd Sydney -33.87 151.21 8|mel Melbourne -37.81 144.96 7|bne Brisbane -27.47 153.03 4|per Perth -31.95 115.86 3
akl Auckland -36.85 174.76 3|cmb Colombo 6.93 79.86 5|ktm Kathmandu 27.72 85.32 5|lhe Lahore 31.55 74.34 9`;

export const cities: readonly City[] = cityLines
  .trim()
  .split(/[|\n]/)
  .map((line) => {
    const [code, name, lat, lon, weight] = line.split(' ') as [string, string, string, string, string];
    return { code, name: name.replaceAll('_', ' '), lat: Number(lat), lon: Number(lon), weight: Number(weight) };
  });

/** Spread over the continents from the first on, so that a few of them already make a plausible world. */
export const sites: readonly Site[] = [
  { name: 'ashburn', lat: 39.04, lon: -77.49 },
  { name: 'singapore', lat: 1.35, lon: 103.82 },
  { name: 'frankfurt', lat: 50.11, lon: 8.68 },
  { name: 'boardman', lat: 45.84, lon: -119.7 },
  { name: 'tokyo', lat: 35.68, lon: 139.69 },
  { name: 'saopaulo', lat: -23.55, lon: -46.63 },
  { name: 'mumbai', lat: 19.08, lon: 72.88 },
  { name: 'dublin', lat: 53.35, lon: -6.26 },
  { name: 'columbus', lat: 39.96, lon: -83.0 },
  { name: 'stockholm', lat: 59.33, lon: 18.07 },
  { name: 'sydney', lat: -33.87, lon: 151.21 },
  { name: 'seoul', lat: 37.57, lon: 126.98 },
  { name: 'dallas', lat: 32.78, lon: -96.8 },
  { name: 'madrid', lat: 40.42, lon: -3.7 },
  { name: 'jakarta', lat: -6.21, lon: 106.85 },
  { name: 'capetown', lat: -33.92, lon: 18.42 },
  { name: 'lulea', lat: 65.58, lon: 22.15 },
  { name: 'hyderabad', lat: 17.39, lon: 78.49 },
  { name: 'montreal', lat: 45.5, lon: -73.57 },
  { name: 'santiago', lat: -33.45, lon: -70.67 },
  { name: 'milan', lat: 45.46, lon: 9.19 },
  { name: 'osaka', lat: 34.69, lon: 135.5 },
  { name: 'prineville', lat: 44.3, lon: -120.83 },
  { name: 'dubai', lat: 25.2, lon: 55.27 },
  { name: 'hongkong', lat: 22.32, lon: 114.17 },
  { name: 'altoona', lat: 41.64, lon: -93.47 },
  { name: 'london', lat: 51.51, lon: -0.13 },
  { name: 'queretaro', lat: 20.59, lon: -100.39 },
  { name: 'melbourne', lat: -37.81, lon: 144.96 },
  { name: 'warsaw', lat: 52.23, lon: 21.01 },
];

/** Great-circle distance (haversine). */
export function distanceKm(a: { lat: number; lon: number }, b: { lat: number; lon: number }): number {
  const radians = Math.PI / 180;
  const dLat = Math.sin(((b.lat - a.lat) * radians) / 2);
  const dLon = Math.sin(((b.lon - a.lon) * radians) / 2);
  const h = dLat * dLat + Math.cos(a.lat * radians) * Math.cos(b.lat * radians) * dLon * dLon;
  return 2 * 6371 * Math.asin(Math.min(1, Math.sqrt(h)));
}
