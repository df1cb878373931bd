//! PLACEHOLDER for the YAML writer.

/// Returns a value as one YAML document, without the line `---`.
#[must_use]
pub fn write(value: &serde_json::Value) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let mut out = String::new();
    match serde_saphyr::to_fmt_writer_with_options(&mut out, value, options) {
        Ok(()) => out,
        Err(_) => String::new(),
    }
}
