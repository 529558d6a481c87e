pub mod log {
    pub mod epochs;
    pub mod producers;
}
