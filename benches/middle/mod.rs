//! What several runs come to.

/// The middle one, or the mean of the two middle ones.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 }
}

/// Median, least and largest as text, with so many decimals.
pub fn spread(decimals: usize, values: impl IntoIterator<Item = f64> + Clone) -> String {
    let least = values.clone().into_iter().fold(f64::INFINITY, f64::min);
    let largest = values.clone().into_iter().fold(0.0, f64::max);
    format!("{:.decimals$} ({least:.decimals$}..{largest:.decimals$})", median(values))
}
