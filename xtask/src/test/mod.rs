pub(crate) const OPTIONS: &str = "";
pub(crate) const SUMMARY: &str = "";
pub(crate) fn run(_: lexopt::Parser) -> Result<std::process::ExitCode, crate::failure::Failure> { Ok(std::process::ExitCode::SUCCESS) }
