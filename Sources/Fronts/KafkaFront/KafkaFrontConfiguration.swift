public import SagamoreEngine
public import SagamoreKafkaClient

/// What can be set about the Kafka front.
public struct KafkaFrontConfiguration: Sendable {
    /// How the topics of the routes and the cursor topic come to be.
    public enum TopicCreation: Sendable {
        /// Somebody else creates them.
        case none
        /// By a request to the broker; those that are there are left as they are.
        case byRequest
        /// By another way, which takes names and a number of partitions: the development broker has its own.
        case custom(@Sendable (_ names: [String], _ partitions: Int) throws(KafkaError) -> Void)
    }

    /// How to reach the brokers. Its `log` is set by the front, unless there is one.
    public var kafka: KafkaConfiguration
    /// The routes; each has a command topic of its own.
    public var routes: [Route]
    /// Holds nothing: only the publishers' cursors refer to it. It needs a partition for each shard.
    public var cursorTopic = "sagamore.cursors"
    /// How topics are made.
    public var topicCreation = TopicCreation.byRequest
    /// Partitions of topics that are made.
    public var partitions = 8
    /// The consumer group of the command topics; nil takes one of this installation's own.
    public var consumerGroup: String?
    /// What names the cluster in a record's coordinates; nil asks the broker. The development broker has a better name
    /// than the one it answers with.
    public var clusterID: String?
    /// The bounds on what commands hold.
    public var limits = Limits()
    /// The bounds on what is under way.
    public var consumerLimits = ConsumerLimits()

    /// Creates a configuration.
    public init(kafka: KafkaConfiguration, routes: [Route] = [Route()]) {
        self.kafka = kafka
        self.routes = routes
    }

    /// A configuration for the development broker, which `broker` is.
    public init(development broker: KafkaDevelopmentBroker, routes: [Route] = [Route()]) {
        self.init(kafka: KafkaConfiguration(bootstrap: broker.bootstrap), routes: routes)
        clusterID = broker.clusterID
        topicCreation = .custom { names, partitions throws(KafkaError) in
            try broker.createTopics(names, partitions: partitions)
        }
    }
}
