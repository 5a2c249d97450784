/// The version of this program.
public enum SagamoreVersion {
    /// Major, minor and patch, as in the changelog.
    public static let current = "0.1.0"
}
