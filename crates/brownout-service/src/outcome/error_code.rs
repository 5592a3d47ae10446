//! The error codes of HTTP/2.

/// Why a stream or a connection of HTTP/2 ends, as RFC 9113 §7 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ErrorCode {
    /// There is no error.
    NoError = 0x0,
    /// The peer broke the protocol.
    ProtocolError = 0x1,
    /// Something went wrong within.
    InternalError = 0x2,
    /// The peer sent more than it had leave to.
    FlowControlError = 0x3,
    /// The settings were not acknowledged in time.
    SettingsTimeout = 0x4,
    /// A frame came for a stream that had ended.
    StreamClosed = 0x5,
    /// A frame had a size that it cannot have.
    FrameSizeError = 0x6,
    /// Nothing was done for the stream.
    RefusedStream = 0x7,
    /// The stream is no longer needed.
    Cancel = 0x8,
    /// The compression of headers went out of step.
    CompressionError = 0x9,
    /// A tunnel broke.
    ConnectError = 0xa,
    /// The peer asks for too much.
    EnhanceYourCalm = 0xb,
    /// The transport is not safe enough.
    InadequateSecurity = 0xc,
    /// HTTP/1.1 is wanted in its place.
    Http11Required = 0xd,
}

impl ErrorCode {
    /// Every code with the name that the RFC gives it.
    pub const NAMES: [(&str, Self); 14] = [
        ("NO_ERROR", Self::NoError),
        ("PROTOCOL_ERROR", Self::ProtocolError),
        ("INTERNAL_ERROR", Self::InternalError),
        ("FLOW_CONTROL_ERROR", Self::FlowControlError),
        ("SETTINGS_TIMEOUT", Self::SettingsTimeout),
        ("STREAM_CLOSED", Self::StreamClosed),
        ("FRAME_SIZE_ERROR", Self::FrameSizeError),
        ("REFUSED_STREAM", Self::RefusedStream),
        ("CANCEL", Self::Cancel),
        ("COMPRESSION_ERROR", Self::CompressionError),
        ("CONNECT_ERROR", Self::ConnectError),
        ("ENHANCE_YOUR_CALM", Self::EnhanceYourCalm),
        ("INADEQUATE_SECURITY", Self::InadequateSecurity),
        ("HTTP_1_1_REQUIRED", Self::Http11Required),
    ];

    /// Its number in a frame.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorCode;

    /// The RFC numbers them without a gap, in this order.
    #[test]
    fn codes_have_the_numbers_of_the_rfc() {
        let numbers: Vec<_> = ErrorCode::NAMES.iter().map(|(_, code)| code.number()).collect();
        assert_eq!(numbers, (0..14).collect::<Vec<_>>());
        assert_eq!(ErrorCode::NAMES[0xb], ("ENHANCE_YOUR_CALM", ErrorCode::EnhanceYourCalm));
    }
}
